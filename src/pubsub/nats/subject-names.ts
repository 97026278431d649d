// A name in a subject: dots, spaces and stars mean something there, so that it stands in base64url.

export const encodeName = (name: string): string => Buffer.from(name).toString('base64url')

export const decodeName = (token: string): string => Buffer.from(token, 'base64url').toString()
