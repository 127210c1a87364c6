import autocannon from 'autocannon'

const things = [
  'Hello there, I was told that I can talk to you about whatever is on my mind.',
  'I am a little tired, because my new job starts at six in the morning and the train takes an hour.',
  'I feel that nobody at the office listens to what I say, although they ask me all the time.',
  'I need a holiday somewhere warm, with good food, and without a telephone.',
]

/** Visitors who talk at the same time. Each says all of the above, one thing after another, and never comes back. */
const crowd = 40

export interface Traffic {
  readonly answered: number
  readonly visitors: number
  readonly failed: number
}

/** Sends visitors to the server for some seconds, as fast as it answers. */
export async function sendVisitors(address: string, seconds: number): Promise<Traffic> {
  let sent = 0
  const result = await autocannon({
    url: address,
    duration: seconds,
    connections: crowd,
    requests: [
      {
        method: 'POST',
        setupRequest: (request) => {
          const generation = Math.floor(sent / (crowd * things.length))
          const visitor = `visitor-${generation * crowd + (sent % crowd)}`
          const said = things[Math.floor(sent / crowd) % things.length]
          sent += 1
          return {
            ...request,
            path: `/chat/${visitor}`,
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ message: `${said} (${sent})` }),
          }
        },
      },
    ],
  })
  return {
    answered: result['2xx'],
    visitors: Math.ceil(sent / things.length),
    failed: result.non2xx + result.errors + result.timeouts,
  }
}
