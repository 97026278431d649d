// bulk-go disk|nowhere|upload <url> <file>
package main

import (
	"io"
	"log"
	"mime/multipart"
	"net/http"
	"os"
)

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func download(job, url, path string) {
	response, err := http.Get(url)
	check(err)
	defer response.Body.Close()
	var target io.Writer = io.Discard
	if job == "disk" {
		file, err := os.Create(path)
		check(err)
		defer file.Close()
		target = file
	}
	_, err = io.Copy(target, response.Body)
	check(err)
}

func upload(url, path string) {
	file, err := os.Open(path)
	check(err)
	reader, writer := io.Pipe()
	form := multipart.NewWriter(writer)
	go func() {
		part, err := form.CreateFormFile("file", "file")
		check(err)
		_, err = io.Copy(part, file)
		check(err)
		check(form.Close())
		check(writer.Close())
	}()
	response, err := http.Post(url, form.FormDataContentType(), reader)
	check(err)
	_, err = io.Copy(io.Discard, response.Body)
	check(err)
}

func main() {
	job, url, path := os.Args[1], os.Args[2], os.Args[3]
	if job == "upload" {
		upload(url, path)
	} else {
		download(job, url, path)
	}
}
