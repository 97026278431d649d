// Echo at /, broadcast at /all: gorilla/websocket, of Debian's golang-github-gorilla-websocket-dev.
package main

import (
	"fmt"
	"net"
	"net/http"
	"runtime"
	"sync"

	"github.com/gorilla/websocket"
)

var upgrader = websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}

func echo(w http.ResponseWriter, r *http.Request) {
	c, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer c.Close()
	for {
		kind, message, err := c.ReadMessage()
		if err != nil || c.WriteMessage(kind, message) != nil {
			return
		}
	}
}

var lock sync.Mutex
var all = map[chan *websocket.PreparedMessage]bool{}

func broadcast(w http.ResponseWriter, r *http.Request) {
	c, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	queue := make(chan *websocket.PreparedMessage, 1024)
	lock.Lock()
	all[queue] = true
	lock.Unlock()
	defer func() {
		lock.Lock()
		delete(all, queue)
		lock.Unlock()
		c.Close()
	}()
	go func() {
		for message := range queue {
			if c.WritePreparedMessage(message) != nil {
				return
			}
		}
	}()
	for {
		kind, bytes, err := c.ReadMessage()
		if err != nil {
			return
		}
		message, _ := websocket.NewPreparedMessage(kind, bytes)
		lock.Lock()
		for other := range all {
			if other == queue {
				continue
			}
			select {
			case other <- message:
			default:
			}
		}
		lock.Unlock()
	}
}

func main() {
	runtime.GOMAXPROCS(1)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	http.HandleFunc("/", echo)
	http.HandleFunc("/all", broadcast)
	http.Serve(listener, nil)
}
