import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { startTarget, type Target } from './harness.js'

/** Whether the machine has a program of that name. */
export function has(program: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

/**
 * One worker, as all others have one process; without a log, and connections kept for as long as they are used. It keeps
 * its files in `folder`. `inServer` stands in its only server; `listenOptions` behind its address.
 */
export async function startNginx(folder: string, inServer: string, listenOptions: string = ''): Promise<Target> {
  const port = await freePort()
  const path = join(folder, `nginx-${port}.conf`)
  writeFileSync(
    path,
    `daemon off; master_process off; worker_processes 1; pid ${folder}/nginx.pid; error_log stderr crit;
events { worker_connections 20000; }
http { access_log off; keepalive_requests 1000000000; include /etc/nginx/mime.types;
  client_body_temp_path ${folder}/a; proxy_temp_path ${folder}/b; fastcgi_temp_path ${folder}/c; uwsgi_temp_path ${folder}/d; scgi_temp_path ${folder}/e;
  server { listen 127.0.0.1:${port} backlog=4096 ${listenOptions}; ${inServer} } }`,
  )
  return startTarget('nginx', 'sh', ['-c', `(sleep 0.5; echo ${port}) & exec nginx -c ${path}`])
}
