// Node's basic-ftp: ftps_node.js PORT VERSION COUNT. The scenario; see ../ftps.py.
"use strict"
const fs = require("fs")
const { Writable } = require("stream")
const ftp = require("basic-ftp")

const [port, version, count] = process.argv.slice(2)

async function enter(client) {
	await client.access({
		host: "127.0.0.1", port: Number(port), secure: true,
		user: process.env.FTPS_USER, password: process.env.FTPS_PASSWORD,
		secureOptions: { rejectUnauthorized: false, minVersion: "TLSv" + version, maxVersion: "TLSv" + version }
	})
}

async function list(client, name) {
	const files = await client.list()
	fs.writeFileSync(name, files.map(file => file.name + "\n").join(""))
}

async function main() {
	const client = new ftp.Client(20000)
	await enter(client)
	await list(client, "list")
	for (let i = 0; i < count; i++)
		await client.uploadFrom(`up/f${i}`, `f${i}`)
	for (let i = 0; i < count; i++)
		await client.downloadTo(`down/f${i}`, `f${i}`)
	await client.downloadTo(fs.createWriteStream("down/half", { flags: "a" }), "half", fs.statSync("down/half").size)
	const refusing = new Writable({ write: (chunk, encoding, done) => done(new Error("enough")) })
	await client.downloadTo(refusing, "big").then(() => { throw new Error("big came whole") }, () => {})
	// What it does then: it has closed everything, and begins anew.
	await enter(client)
	await list(client, "list2")
	client.close()
}

main().catch(error => {
	console.error(String(error))
	process.exit(1)
})
