package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"runtime"

	"github.com/spf13/pflag"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/klog/v2"
)

// gpuResource is the name that device plugins give to GPUs.
const gpuResource = "nvidia.com/gpu"

// gpus is what this node has of simulated cards. Two sets, since the scheduler counts
// them apart: the device plugin gives out the first by number, the DRA driver the
// others by what they are. One card in both sets would be given out twice.
type gpus struct {
	count     int      // cards of the device plugin
	memory    int64    // of each of them, in MiB
	claimable []string // memory of each card of the DRA driver, such as 40Gi
	oldName   string   // a second counter of the plugin's cards; no plugin may serve this name
	driver    string   // folder of the simulated driver
}

func (g *gpus) addFlags(flags *pflag.FlagSet) {
	flags.IntVar(&g.count, "gpus", 0, "number of GPUs that "+gpuResource+" counts")
	flags.Int64Var(&g.memory, "gpu-memory", 0, "memory of each of them in MiB")
	flags.StringVar(&g.oldName, "gpu-old-name", "", "another resource that counts the same GPUs")
	flags.StringSliceVar(&g.claimable, "gpu-claimable", nil, "memory of each further GPU, for DRA")
	flags.StringVar(&g.driver, "gpu-driver", "", "folder with the driver's files")
}

// serve starts the device plugin and the DRA driver. It waits for no API server: they have to
// be there before the kubelet looks at the Pods that the node had. Without its plugin it would
// refuse those with a GPU for ever.
func (g *gpus) serve(ctx context.Context, client kubernetes.Interface, node string) {
	if g.count > 0 {
		go newDevicePlugin(g).run(ctx)
	}
	if len(g.claimable) > 0 {
		go newDRADriver(g, client, node).run(ctx)
	}
}

// cardID is what a real driver calls a card's UUID.
func cardID(index int) string {
	return fmt.Sprintf("GPU-SIMULATED-%d", index)
}

// mounted are the driver's files by their path in a container: the tool, and the two
// libraries where a Debian image looks for them.
func (g *gpus) mounted() map[string]string {
	libraries := "/usr/lib/x86_64-linux-gnu"
	if runtime.GOARCH == "arm64" {
		libraries = "/usr/lib/aarch64-linux-gnu"
	}
	return map[string]string{
		"/usr/bin/nvidia-smi":            filepath.Join(g.driver, "bin/nvidia-smi"),
		libraries + "/libcuda.so.1":      filepath.Join(g.driver, "libcuda.so.1"),
		libraries + "/libnvidia-ml.so.1": filepath.Join(g.driver, "libnvidia-ml.so.1"),
	}
}

// labels are those of NVIDIA's feature discovery; the values are this simulation's.
func (g *gpus) labels() map[string]string {
	return map[string]string{
		"nvidia.com/gpu.present":          "true",
		"nvidia.com/gpu.count":            fmt.Sprint(g.count),
		"nvidia.com/gpu.product":          "Simulated-GPU",
		"nvidia.com/gpu.memory":           fmt.Sprint(g.memory),
		"nvidia.com/gpu.sharing-strategy": "none",
	}
}

// advertise keeps on the Node what no plugin can set: the labels, and the name of 2017,
// which the kubelet refuses since it contains kubernetes.io. The kubelet keeps what others
// add to its capacity, but forgets it when it starts anew: so this looks after each change.
func (g *gpus) advertise(ctx context.Context, client kubernetes.Interface, node *core.Node) error {
	if g.count == 0 {
		return nil
	}
	if missing(node.Labels, g.labels()) {
		if err := patch(ctx, client, node.Name, map[string]any{"metadata": map[string]any{"labels": g.labels()}}); err != nil {
			return err
		}
	}
	has := node.Status.Allocatable[core.ResourceName(g.oldName)]
	if g.oldName == "" || has.Value() == int64(g.count) {
		return nil
	}
	counted := map[string]string{g.oldName: fmt.Sprint(g.count)}
	status := map[string]any{"status": map[string]any{"capacity": counted, "allocatable": counted}}
	return patch(ctx, client, node.Name, status, "status")
}

func missing(has, wanted map[string]string) bool {
	for name, value := range wanted {
		if has[name] != value {
			return true
		}
	}
	return false
}

func patch(ctx context.Context, client kubernetes.Interface, node string, change any, part ...string) error {
	body, err := json.Marshal(change)
	if err != nil {
		return err
	}
	klog.V(1).InfoS("patching the Node", "patch", string(body))
	_, err = client.CoreV1().Nodes().Patch(ctx, node, types.MergePatchType, body, meta.PatchOptions{}, part...)
	return err
}
