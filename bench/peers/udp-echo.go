// One goroutine reads and answers.
package main

import (
	"fmt"
	"net"
)

func main() {
	socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		panic(err)
	}
	fmt.Println(socket.LocalAddr().(*net.UDPAddr).Port)
	buffer := make([]byte, 64*1024)
	for {
		count, remote, err := socket.ReadFromUDPAddrPort(buffer)
		if err != nil {
			continue
		}
		socket.WriteToUDPAddrPort(buffer[:count], remote)
	}
}
