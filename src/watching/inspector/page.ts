import { pageScript } from './page-script.ts'
import { pageStyle } from './page-style.ts'

export { pageScript } from './page-script.ts'
export { pageStyle } from './page-style.ts'

/**
 * Returns the document with the first snapshot in it. That is data, which no browser runs: only `<` could end
 * its element. What the script shows of it is text, never markup.
 */
export function pageHtml(snapshot: object): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>Session inspector</title>
<link rel="icon" href="data:,">
<style>${pageStyle}</style>
</head>
<body>
<header>
<h1>Session inspector</h1>
<p id="status" role="status">Loading</p>
<button id="pause" type="button">Pause</button>
</header>
<main id="main"><noscript><p>This page needs JavaScript.</p></noscript></main>
<script type="application/json" id="snapshot">${JSON.stringify(snapshot).replaceAll('<', '\\u003c')}</script>
<script type="module">${pageScript}</script>
</body>
</html>
`
}
