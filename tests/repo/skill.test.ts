import { expect, it } from 'vitest'
import { read } from './tracked-files.ts'

const skill = read('skills/session-registry/SKILL.md')

it('the skill: has at most 150 lines, begins with its name and description, and lists ten traps', () => {
  const [, header = ''] = /^---\n([\s\S]*?)\n---\n/.exec(skill) ?? []
  const traps = skill.slice(skill.indexOf('\n## Ten traps'), skill.indexOf('\n## Where to read on'))

  expect(skill.trimEnd().split('\n').length).toBeLessThanOrEqual(150)
  expect(header).toMatch(/^name: session-registry\ndescription: >-\n( {2}\S.+\n?)+$/)
  expect(header.length).toBeLessThan(1_024)
  expect(traps.match(/^\d+\. \*\*/gm)).toHaveLength(10)
})
