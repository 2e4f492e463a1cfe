package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	dra "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/dynamic-resource-allocation/kubeletplugin"
	"k8s.io/dynamic-resource-allocation/resourceslice"
	"k8s.io/klog/v2"
)

const (
	// The name, attributes and capacity of NVIDIA's own driver: claims that are written
	// for this one run unchanged on hardware. Source: kubernetes-sigs/dra-driver-nvidia-gpu.
	draDriverName = "gpu.nvidia.com"
	cdiKind       = draDriverName + "/gpu"
	cdiFile       = "/var/run/cdi/workshop.json"
)

// draDriver offers cards that a ResourceClaim selects by what they are. The scheduler
// chooses one and writes it into the claim; the driver only says by which CDI device the
// container runtime gives it to the container. It keeps no state, so a restart loses none.
type draDriver struct {
	gpus   *gpus
	client kubernetes.Interface
	node   string
	cards  []card
}

type card struct {
	index  int
	memory resource.Quantity
}

func newDRADriver(g *gpus, client kubernetes.Interface, node string) *draDriver {
	d := &draDriver{gpus: g, client: client, node: node}
	for i, memory := range g.claimable {
		d.cards = append(d.cards, card{index: g.count + i, memory: resource.MustParse(memory)})
	}
	return d
}

func (c card) name() string { return fmt.Sprintf("gpu-%d", c.index) }

// inGiB is the card's memory as its name and its variable have it: 40GiB.
func (c card) inGiB() string { return strings.TrimSuffix(c.memory.String(), "i") + "iB" }

func (d *draDriver) run(ctx context.Context) {
	for ctx.Err() == nil {
		err := d.start(ctx)
		if err == nil {
			return
		}
		klog.ErrorS(err, "DRA driver: starting again in a second")
		sleep(ctx, time.Second)
	}
}

// start registers the driver, which the kubelet's own watch then renews after its restart,
// and publishes the cards; both go on in the background until ctx ends.
func (d *draDriver) start(ctx context.Context) error {
	if err := d.writeCDI(cdiFile); err != nil {
		return err
	}
	folder := filepath.Join(kubeletplugin.KubeletPluginsDir, draDriverName)
	for _, needed := range []string{folder, kubeletplugin.KubeletRegistryDir} {
		if err := os.MkdirAll(needed, 0o750); err != nil {
			return err
		}
	}
	helper, err := kubeletplugin.Start(ctx, d,
		kubeletplugin.DriverName(draDriverName),
		kubeletplugin.KubeClient(d.client),
		kubeletplugin.NodeName(d.node),
		kubeletplugin.HealthService(false))
	if err != nil {
		return err
	}
	awaitNode(ctx, d.client, d.node)
	if err := d.publish(ctx); err != nil {
		helper.Stop()
		return err
	}
	return nil
}

// publish keeps a ResourceSlice with the cards. A kubelet that starts deletes what its node
// had; the helper's own way would then wait for half a minute before it publishes again.
func (d *draDriver) publish(ctx context.Context) error {
	delay := time.Second
	_, err := resourceslice.StartController(ctx, resourceslice.Options{
		DriverName:   draDriverName,
		KubeClient:   d.client,
		Owner:        &resourceslice.Owner{APIVersion: "v1", Kind: "Node", Name: d.node},
		Resources:    d.resources(),
		SyncDelay:    &delay,
		ErrorHandler: d.HandleError,
	})
	return err
}

// resources are the cards as the scheduler sees them, in one ResourceSlice.
func (d *draDriver) resources() *resourceslice.DriverResources {
	text := func(value string) dra.DeviceAttribute { return dra.DeviceAttribute{StringValue: &value} }
	var devices []dra.Device
	for _, card := range d.cards {
		devices = append(devices, dra.Device{
			Name: card.name(),
			Attributes: map[dra.QualifiedName]dra.DeviceAttribute{
				"productName":  text("Simulated GPU " + card.inGiB()),
				"architecture": text("Simulated"),
				"uuid":         text(cardID(card.index)),
				"type":         text("gpu"),
			},
			Capacity: map[dra.QualifiedName]dra.DeviceCapacity{"memory": {Value: card.memory}},
		})
	}
	pool := resourceslice.Pool{Slices: []resourceslice.Slice{{Devices: devices}}}
	return &resourceslice.DriverResources{Pools: map[string]resourceslice.Pool{d.node: pool}}
}

// PrepareResourceClaims names the CDI device of each card that was allocated.
func (d *draDriver) PrepareResourceClaims(
	_ context.Context, claims []*dra.ResourceClaim,
) (map[types.UID]kubeletplugin.PrepareResult, error) {
	results := map[types.UID]kubeletplugin.PrepareResult{}
	for _, claim := range claims {
		results[claim.UID] = d.prepare(claim)
	}
	return results, nil
}

func (d *draDriver) prepare(claim *dra.ResourceClaim) kubeletplugin.PrepareResult {
	var result kubeletplugin.PrepareResult
	for _, given := range claim.Status.Allocation.Devices.Results {
		if given.Driver != draDriverName {
			continue
		}
		if !slices.ContainsFunc(d.cards, func(c card) bool { return c.name() == given.Device }) {
			return kubeletplugin.PrepareResult{Err: fmt.Errorf("there is no card %s on this node", given.Device)}
		}
		result.Devices = append(result.Devices, kubeletplugin.Device{
			Requests: []string{given.Request}, PoolName: given.Pool, DeviceName: given.Device,
			CDIDeviceIDs: []string{cdiKind + "=" + given.Device}, ShareID: given.ShareID,
		})
	}
	return result
}

// UnprepareResourceClaims has nothing to undo: a CDI device is there whether it is used or not.
func (d *draDriver) UnprepareResourceClaims(
	_ context.Context, claims []kubeletplugin.NamespacedObject,
) (map[types.UID]error, error) {
	results := map[types.UID]error{}
	for _, claim := range claims {
		results[claim.UID] = nil
	}
	return results, nil
}

func (d *draDriver) HandleError(_ context.Context, err error, message string) {
	klog.ErrorS(err, "DRA driver: "+message)
}

// WatchHealthStatus is never called, since HealthService is off: a simulated card never fails.
func (d *draDriver) WatchHealthStatus(context.Context, chan<- kubeletplugin.DeviceHealthReport) error {
	return kubeletplugin.ErrHealthNotSupported
}

// writeCDI tells the container runtime what a card is: one variable for each, since two
// devices of one container would overwrite a variable that they share, and the driver's files.
// Source: the Container Device Interface's specification, 0.6.0.
func (d *draDriver) writeCDI(path string) error {
	type object = map[string]any
	var devices, mounts []object
	for _, card := range d.cards {
		variable := fmt.Sprintf("SIMULATED_GPU_%d=%s", card.index, card.inGiB())
		devices = append(devices, object{
			"name": card.name(), "containerEdits": object{"env": []string{variable}},
		})
	}
	for inside, outside := range d.gpus.mounted() {
		mounts = append(mounts, object{
			"hostPath": outside, "containerPath": inside,
			"options": []string{"ro", "nosuid", "nodev", "bind"},
		})
	}
	spec, err := json.Marshal(object{
		"cdiVersion": "0.6.0", "kind": cdiKind, "devices": devices,
		"containerEdits": object{"env": []string{"WORKSHOP_GPU=simulated"}, "mounts": mounts},
	})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	unfinished := path + ".new"
	if err := os.WriteFile(unfinished, spec, 0o644); err != nil {
		return err
	}
	return os.Rename(unfinished, path)
}
