import { onContentUpdated, type Theme } from 'vitepress'
import DefaultTheme from 'vitepress/theme'
import './style.css'

/** The default theme, with what `axe-core` misses in it. */
const theme: Theme = {
  extends: DefaultTheme,
  setup() {
    onContentUpdated(() => {
      document.querySelector('.VPContent.is-home')?.setAttribute('role', 'main')
      // The style sheet shows the key, so that the name of the button is all of its text.
      document.querySelector('.DocSearch-Button-Key:last-child')?.replaceChildren()
      // The line around it is a button too, and does the same.
      for (const caret of document.querySelectorAll('.VPSidebarItem .item[role="button"] > .caret')) {
        for (const name of ['role', 'tabindex', 'aria-label']) caret.removeAttribute(name)
      }
    })
  },
}

export default theme
