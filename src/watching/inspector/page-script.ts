import { tableScript } from './table-script.ts'

/**
 * The script of the page: it polls, and shows what it gets as text, since names and codes may contain
 * anything.
 */
export const pageScript = `
${tableScript}
const pollMs = 2000
const rateMs = 60000
const main = document.getElementById('main')
const status = document.getElementById('status')
const pause = document.getElementById('pause')
let isPaused = false
let timer
let views = []

const ref = ['Session', (one) => one.ref || '', 'code']
const number = 'number'
const tiles = [
  ['size', 'Sessions'], ['held', 'Held'], ['running', 'Turns running'], ['waiting', 'Turns waiting'],
  ['archiving', 'Archiving'], ['disposing', 'Disposing'],
]
const counters = [
  ['created', 'Created'], ['loaded', 'Loaded'], ['turns', 'Turns'], ['hits', 'Hits'], ['misses', 'Misses'],
  ['expired', 'Expired'], ['evicted', 'Evicted'], ['deleted', 'Deleted'], ['turnTimeouts', 'Turns that timed out'],
  ['archiveFailures', 'Archives that failed'], ['listenerErrors', 'Listeners that failed'],
]
const ends = [
  ['idle', 'Idle'], ['age', 'Age'], ['capacity', 'Capacity'], ['deleted', 'Deleted'], ['replaced', 'Replaced'],
  ['closed', 'Closed'],
]
const failures = [
  ['archive', 'Archive attempts that failed'], ['save', 'Save attempts that failed'], ['error', 'Errors'],
]

function failureText({ what, attempt, event }) {
  if (event) return 'listener of ' + event
  return attempt ? what + ', attempt ' + attempt : what
}

class View {
  constructor(index, endSessions) {
    this.history = []
    this.element = make('section')
    const head = make('div', 'head')
    this.name = head.appendChild(make('h2'))
    this.badge = head.appendChild(make('span', 'badge'))
    this.note = make('p', 'note')
    const list = make('dl', 'tiles')
    this.tiles = tiles.map(([field, title]) => {
      const tile = list.appendChild(make('div'))
      tile.append(make('dt', '', title))
      return [field, tile.appendChild(make('dd'))]
    })
    const end = endSessions ? (ref) => endSession(index, this.name.textContent, ref) : undefined
    this.busy = new Table('In use, loading or leaving', [
      ref,
      ['State', (one) => one.state],
      ['Turn for', (one) => one.running ? duration(one.running.sinceMs) : '', number],
      ['When busy', (one) => one.running ? one.running.whenBusy : ''],
      ['Waiting', (one) => one.waiting || '', number],
      ['Holds', (one) => one.holds || '', number],
      ['Held for', (one) => duration(one.heldMs), number],
      ['Attempts', (one) => one.attempts || '', number],
      ['Age', (one) => duration(one.ageMs), number],
    ], (one) => one.ref, end)
    this.idle = new Table('Idle for longest', [
      ref,
      ['State', (one) => one.state],
      ['Idle for', (one) => duration(one.idleMs), number],
      ['Age', (one) => duration(one.ageMs), number],
    ], (one) => one.ref, end)
    this.failures = new Table('Last failures', [
      ['Ago', (one) => duration(one.agoMs), number],
      ref,
      ['What', failureText],
      ['Code', (one) => one.code, 'code'],
    ], (one) => one.ref + one.what)
    this.ends = new Table('Last ends', [
      ['Ago', (one) => duration(one.agoMs), number],
      ref,
      ['Reason', (one) => one.reason],
      ['Idle for', (one) => duration(one.idleMs), number],
      ['Age', (one) => duration(one.ageMs), number],
    ], (one) => one.ref + one.reason)
    const columns = [
      ['What', (one) => one[1]],
      ['Total', (one) => count(one[2]), number],
      ['Per minute', (one) => count(one[3]), number],
    ]
    this.counters = new Table('Since the registry was made', columns, (one) => one[0])
    this.totals = new Table('Ends and failures since the page was mounted', columns, (one) => one[0])
    const pair = (...tables) => {
      const element = make('div', 'pair')
      element.append(...tables.map((table) => table.element))
      return element
    }
    this.element.append(
      head, this.note, list, this.busy.element, this.idle.element,
      pair(this.failures, this.ends), pair(this.counters, this.totals),
    )
  }

  update(one, sinceMs) {
    setText(this.name, one.name)
    const health = one.problem || (one.health ? one.health.why || 'ready' : 'no health')
    setText(this.badge, health)
    this.badge.classList.toggle('bad', health !== 'ready')
    const stats = one.stats || {}
    setText(this.note, noteOf(one))
    this.note.hidden = this.note.textContent === ''
    for (const [field, element] of this.tiles) setText(element, count(stats[field]))
    this.busy.update(one.busy)
    const idle = one.isShared ? undefined : stats.size - stats.held
    this.idle.update(one.idle, idle > one.idle.length ? one.idle.length + ' of ' + count(idle) : '')
    this.failures.update(one.lastFailures)
    this.ends.update(one.lastEnds)
    const rates = this.rates({ ...stats, ends: one.endsByReason, failures: one.failureCounts })
    this.counters.update(counters.map(([field, title]) => [field, title, stats[field], rates((at) => at[field])]))
    this.totals.update([
      ...ends.map(([field, title]) => [
        field, 'Ended: ' + title, one.endsByReason[field] || 0, rates((at) => at.ends[field] || 0),
      ]),
      ...failures.map(([field, title]) => [
        'failed ' + field, title, one.failureCounts[field], rates((at) => at.failures[field]),
      ]),
    ], duration(sinceMs) + ' ago')
  }

  /* Rates of the last minute, from what the polls have brought; undefined at the first. */
  rates(totals) {
    const now = performance.now()
    this.history.push([now, totals])
    while (this.history.length > 2 && now - this.history[0][0] > rateMs) this.history.shift()
    const [at, first] = this.history[0]
    return (read) => {
      const rate = ((read(totals) - read(first)) / (now - at)) * 60000
      return Number.isFinite(rate) ? Math.round(Math.max(rate, 0) * 10) / 10 : undefined
    }
  }
}

function noteOf(one) {
  const parts = []
  if (one.problem) parts.push('Some figures are missing: ' + one.problem + '.')
  if (one.isShared) {
    parts.push('On Redis: the number of sessions is that of all processes, all else is of this process.')
  }
  return parts.join(' ')
}

function show(snapshot) {
  if (views.length !== snapshot.registries.length) {
    views = snapshot.registries.map((_, index) => new View(index, snapshot.endSessions))
    main.replaceChildren(...views.map((view) => view.element))
  }
  snapshot.registries.forEach((one, index) => views[index].update(one, snapshot.sinceMs))
}

function say(text, isBad) {
  setText(status, text)
  status.classList.toggle('bad', Boolean(isBad))
}

/* The address of the page with other parameters, so that it works wherever it is mounted. */
function address(parameters) {
  const url = new URL(location.href)
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  return url
}

async function poll() {
  clearTimeout(timer)
  try {
    const response = await fetch(address({ snapshot: '' }), { signal: AbortSignal.timeout(10000) })
    if (response.ok) {
      show(await response.json())
      say(isPaused ? 'Paused' : 'Live')
    } else {
      say('Not live: the server answered with ' + response.status, true)
    }
  } catch {
    say('Not live: the server does not answer', true)
  }
  clearTimeout(timer)
  if (!isPaused && !document.hidden) timer = setTimeout(poll, pollMs)
}

async function endSession(registry, name, ref) {
  const question = 'End session ' + ref + ' of ' + name + '? It is deleted, and not archived.'
  if (!confirm(question)) return
  const response = await fetch(address({ end: ref, registry }), { method: 'POST' }).catch(() => undefined)
  await poll()
  if (response && response.ok) say('Session ' + ref + ' has ended')
  else say('Session ' + ref + ' has not ended' + (response ? ': ' + response.status : ''), true)
}

pause.addEventListener('click', () => {
  isPaused = !isPaused
  setText(pause, isPaused ? 'Resume' : 'Pause')
  if (isPaused) {
    clearTimeout(timer)
    say('Paused')
  } else {
    poll()
  }
})
document.addEventListener('visibilitychange', () => {
  if (!document.hidden && !isPaused) poll()
})
show(JSON.parse(document.getElementById('snapshot').textContent))
say('Live')
timer = setTimeout(poll, pollMs)
`
