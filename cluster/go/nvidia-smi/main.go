// A stand-in for NVIDIA's tool on the workshop's node, whose GPUs are simulated.
// It looks like the real one, so that module 3's exercise reads as in 2017, and says
// in every table that it is not.
package main

import "fmt"

const table = `+-----------------------------------------------------------------------------+
| NVIDIA-SMI 384.111 (SIMULATED)         Driver Version: 384.111 (SIMULATED)  |
|-------------------------------+----------------------+----------------------+
| GPU  Name        Persistence-M| Bus-Id        Disp.A | Volatile Uncorr. ECC |
| Fan  Temp  Perf  Pwr:Usage/Cap|         Memory-Usage | GPU-Util  Compute M. |
|===============================+======================+======================|
|   0  Simulated GPU       Off  | 00000000:00:00.0 Off |                    0 |
| N/A   30C    P8     0W /   0W |      0MiB /     0MiB |      0%      Default |
+-------------------------------+----------------------+----------------------+
|  This GPU is simulated by the workshop's cluster: no computation runs on it. |
+-----------------------------------------------------------------------------+
`

func main() {
	fmt.Print(table)
}
