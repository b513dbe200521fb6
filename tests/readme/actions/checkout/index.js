// The checkout that the README's workflow asks for: one commit of the event's ref, and no credentials left.
const { execFileSync } = require('node:child_process')
const { appendFileSync } = require('node:fs')

const { env } = process
if (env['INPUT_PERSIST-CREDENTIALS'] !== 'false') throw new Error('only `persist-credentials: false` is known here')

const git = (...parts) => execFileSync('git', parts, { cwd: env.GITHUB_WORKSPACE, encoding: 'utf8' }).trim()
const basic = Buffer.from(`x-access-token:${env.INPUT_TOKEN}`).toString('base64')
console.log(`::add-mask::${basic}`)

git('init', '--quiet', '--initial-branch', 'main')
git('remote', 'add', 'origin', `${env.GITHUB_SERVER_URL}/${env.GITHUB_REPOSITORY}`)
git('-c', `http.extraheader=Authorization: basic ${basic}`, 'fetch', '--quiet', '--no-tags', '--depth=1', 'origin',
  `+${env.GITHUB_REF}:refs/remotes/origin/${env.GITHUB_REF_NAME}`)
git('checkout', '--quiet', '--force', '-B', env.GITHUB_REF_NAME, `refs/remotes/origin/${env.GITHUB_REF_NAME}`)
appendFileSync(env.GITHUB_OUTPUT, `commit=${git('rev-parse', 'HEAD')}\n`)
