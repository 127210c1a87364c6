import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { anchorsOf } from '../../scripts/anchors.ts'
import { linksOf, targetOf } from '../support/document-links.ts'
import { ConsumerProject } from './consumer-project.ts'

let project: ConsumerProject

beforeAll(async () => {
  project = await ConsumerProject.create()
}, 180_000)

afterAll(() => project?.remove())

it('the packed documents: each relative link leads to a file, a folder or a heading of the package', async () => {
  const documents = project.files.filter((path) => /\.(md|txt)$/.test(path))
  const dead: string[] = []
  let checked = 0
  for (const path of documents) {
    for (const link of linksOf(await project.read(path))) {
      const target = join(project.packed, targetOf(path, link))
      const [, anchor] = link.split('#')
      const isAlive =
        existsSync(target) &&
        (anchor === undefined || anchorsOf(await readFile(target, 'utf8')).includes(anchor))
      if (!isAlive) dead.push(`${path} → ${link}`)
      checked += 1
    }
  }

  expect(checked).toBeGreaterThan(100)
  expect(dead).toEqual([])
})
