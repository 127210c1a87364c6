import { pageScript } from './page-script.ts'
import { pageStyle } from './page-style.ts'

export { pageScript } from './page-script.ts'
export { pageStyle } from './page-style.ts'

/** The document. Nothing is put into it, so nothing has to be escaped; the script sets text, never markup. */
export const pageHtml = `<!doctype html>
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
<script type="module">${pageScript}</script>
</body>
</html>
`
