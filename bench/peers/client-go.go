// client-go <url> <connections> <milliseconds>
package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

func cpu() (user, system float64) {
	var usage syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	micros := func(t syscall.Timeval) float64 { return float64(t.Sec)*1e6 + float64(t.Usec) }
	return micros(usage.Utime), micros(usage.Stime)
}

func main() {
	url := os.Args[1]
	connections, _ := strconv.Atoi(os.Args[2])
	ms, _ := strconv.Atoi(os.Args[3])
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections, MaxConnsPerHost: connections, DisableCompression: true}}
	run := func(d time.Duration) int64 {
		var count int64
		var wait sync.WaitGroup
		until := time.Now().Add(d)
		for i := 0; i < connections; i++ {
			wait.Add(1)
			go func() {
				defer wait.Done()
				for time.Now().Before(until) {
					response, err := client.Get(url)
					if err != nil {
						panic(err)
					}
					body, err := io.ReadAll(response.Body)
					response.Body.Close()
					if err != nil || len(body) != 1024 {
						panic("the body is not what it should be")
					}
					atomic.AddInt64(&count, 1)
				}
			}()
		}
		wait.Wait()
		return count
	}
	run(time.Duration(ms) * time.Millisecond / 2)
	user, system := cpu()
	began := time.Now()
	messages := run(time.Duration(ms) * time.Millisecond)
	userAfter, systemAfter := cpu()
	json.NewEncoder(os.Stdout).Encode(map[string]float64{
		"messages": float64(messages), "seconds": time.Since(began).Seconds(),
		"userUs": (userAfter - user) / float64(messages), "systemUs": (systemAfter - system) / float64(messages),
	})
}
