// `bun bulk-bun.mjs disk|nowhere|upload <url> <file>`
const [job, url, file] = process.argv.slice(2)
if (job === 'disk') await Bun.write(file, await fetch(url))
else if (job === 'nowhere') for await (const _piece of (await fetch(url)).body);
else {
  const form = new FormData()
  form.append('file', Bun.file(file), 'file')
  await (await fetch(url, { method: 'POST', body: form })).text()
}
