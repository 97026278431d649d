const [url, connections, milliseconds] = process.argv.slice(2)

async function run(ms) {
  const until = performance.now() + ms
  let count = 0
  const loop = async () => {
    while (performance.now() < until) {
      if ((await (await fetch(url)).text()).length !== 1024) throw new Error('the body is not what it should be')
      count += 1
    }
  }
  await Promise.all(Array.from({ length: Number(connections) }, loop))
  return count
}

await run(Number(milliseconds) / 2)
const [cpu, began] = [process.cpuUsage(), performance.now()]
const messages = await run(Number(milliseconds))
const { user, system } = process.cpuUsage(cpu)
const seconds = (performance.now() - began) / 1000
console.log(JSON.stringify({ messages, seconds, userUs: user / messages, systemUs: system / messages }))
process.exit()
