// The rates of @cloud-copilot/iam-simulate on the workloads that policy_authorize.py hands over on standard input.
// It takes documents, not parsed policies, so each call parses them: no fairer way in is published.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const { runUnsafeSimulation } = createRequire(import.meta.url)('@cloud-copilot/iam-simulate')
const workloads = JSON.parse(readFileSync(0, 'utf8'))

for (const [name, workload] of Object.entries(workloads)) {
  const simulation = () => ({
    request: {
      principal: workload.principal,
      action: 's3:GetObject',
      resource: { resource: workload.resource, accountId: '111122223333' },
      contextVariables: workload.context,
    },
    identityPolicies: workload.policies.map((policy, number) => ({ name: `p${number}`, policy })),
    serviceControlPolicies: [],
    resourceControlPolicies: [],
  })
  const first = await runUnsafeSimulation(simulation(), {})
  let count = 0
  const start = process.hrtime.bigint()
  while (process.hrtime.bigint() - start < 1_000_000_000n) {
    await runUnsafeSimulation(simulation(), {})
    count++
  }
  const seconds = Number(process.hrtime.bigint() - start) / 1e9
  console.log(`(${name}) ${Math.round(count / seconds)} /s, answers ${JSON.stringify(first.result ?? first).slice(0, 60)}`)
}
