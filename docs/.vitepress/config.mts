import { defineConfig } from 'vitepress'
import llmstxt from 'vitepress-plugin-llms'
import { slugOf } from '../../scripts/anchors.ts'
import { siteLinks } from './links.ts'
import { unbrokenNumbers } from './numbers.ts'
import { sidebar } from './sidebar.ts'

export default defineConfig({
  title: 'session-registry',
  description:
    'Keeps one value per session id while the session is in use: idle timeout, turns, durable stores.',
  lang: 'en',
  cleanUrls: true,
  markdown: {
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    // As on GitHub, so that a link with an anchor leads to the same place there.
    anchor: { slugify: slugOf },
    config: (md) => {
      siteLinks(md)
      unbrokenNumbers(md)
    },
  },
  themeConfig: {
    search: { provider: 'local' },
    nav: [
      { text: 'Guide', link: '/start', activeMatch: '^/(?!api/|project/|$)' },
      { text: 'API', link: '/api/', activeMatch: '^/api/' },
      { text: 'Changelog', link: '/project/CHANGELOG' },
    ],
    sidebar: sidebar(),
    outline: [2, 3],
  },
  // VitePress has a Vite of its own, with types of its own.
  vite: { plugins: [llmstxt() as never] },
})
