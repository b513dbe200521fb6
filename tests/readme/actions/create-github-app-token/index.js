// Asks the small GitHub for a token of an App with exactly the `permission-…` inputs, as GitHub would make it.
const { appendFileSync } = require('node:fs')
const { randomBytes } = require('node:crypto')

const { env } = process
const prefix = 'INPUT_PERMISSION-'

async function main() {
  for (const needed of ['CLIENT-ID', 'PRIVATE-KEY']) {
    if (!env[`INPUT_${needed}`]) throw new Error(`the input ${needed.toLowerCase()} is empty`)
  }
  const permissions = { metadata: 'read' }
  for (const [name, level] of Object.entries(env)) {
    if (name.startsWith(prefix) && level) {
      permissions[name.slice(prefix.length).toLowerCase().replaceAll('-', '_')] = level
    }
  }
  const value = `ghs_${randomBytes(16).toString('hex')}`
  console.log(`::add-mask::${value}`)
  const token = { value, login: 'promoter[bot]', kind: 'app', permissions, repositories: [env.GITHUB_REPOSITORY] }
  const answer = await fetch(`${env.GITHUB_SERVER_URL}/_fake/tokens`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(token),
  })
  if (!answer.ok) throw new Error(`no token: ${answer.status} ${await answer.text()}`)
  appendFileSync(env.GITHUB_OUTPUT, `token=${value}\n`)
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
