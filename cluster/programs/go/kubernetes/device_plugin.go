package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"k8s.io/klog/v2"
	api "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
)

const (
	// pluginSockets are the plugin's sockets, one for each registration.
	pluginSockets = "workshop-gpu-%d.sock"
	// A kubelet refuses for ever the Pods with a GPU that it had, if it looks at them before the
	// plugin is registered. It does so within a second where the API server answers already.
	pollInterval = 20 * time.Millisecond
)

// devicePlugin serves nvidia.com/gpu over the kubelet's device plugin API, as NVIDIA's
// own plugin does. The kubelet chooses the cards and remembers who has which.
type devicePlugin struct {
	api.UnimplementedDevicePluginServer
	folder  string
	devices []*api.Device
	mounts  []*api.Mount
}

func newDevicePlugin(g *gpus) *devicePlugin {
	p := &devicePlugin{folder: api.DevicePluginPath}
	for index := range g.count {
		p.devices = append(p.devices, &api.Device{ID: cardID(index), Health: api.Healthy})
	}
	for inside, outside := range g.mounted() {
		p.mounts = append(p.mounts, &api.Mount{ContainerPath: inside, HostPath: outside, ReadOnly: true})
	}
	return p
}

// run serves and registers the plugin, and does so again whenever a kubelet starts: it
// removes the sockets of all plugins and knows none of them.
func (p *devicePlugin) run(ctx context.Context) {
	for ctx.Err() == nil {
		if err := p.follow(ctx); err != nil {
			klog.ErrorS(err, "device plugin: starting again in a second")
			sleep(ctx, time.Second)
		}
	}
}

// follow registers with each kubelet that listens at its socket, until ctx ends or it fails.
func (p *devicePlugin) follow(ctx context.Context) error {
	if err := os.MkdirAll(p.folder, 0o750); err != nil {
		return err
	}
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return err
	}
	defer watcher.Close()
	if err := watcher.Add(p.folder); err != nil {
		return err
	}
	for ctx.Err() == nil {
		kubelet, err := p.listening()
		if err != nil { // before the first kubelet, or between two of them
			sleep(ctx, pollInterval)
			continue
		}
		stop, err := p.serve(ctx)
		if err == nil {
			err = p.waitForAnother(ctx, kubelet, watcher)
		}
		stop()
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *devicePlugin) kubeletSocket() string {
	return filepath.Join(p.folder, filepath.Base(api.KubeletSocket))
}

// listening is the socket of a kubelet that listens. One that was killed leaves its socket behind,
// and the next removes every socket of the folder before it listens: a plugin that had opened its
// own before that would wait seconds for an answer.
func (p *devicePlugin) listening() (os.FileInfo, error) {
	connection, err := net.Dial("unix", p.kubeletSocket())
	if err != nil {
		return nil, err
	}
	connection.Close()
	return os.Stat(p.kubeletSocket())
}

// waitForAnother returns when there is a kubelet's socket that is not the one that the plugin
// is registered at. News of that one must not end it: a kubelet may hear of the end of an old
// registration after the new one, and then takes the cards for lost.
func (p *devicePlugin) waitForAnother(
	ctx context.Context, known os.FileInfo, watcher *fsnotify.Watcher,
) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-watcher.Errors:
			return err
		case event := <-watcher.Events:
			if event.Name != p.kubeletSocket() || !event.Has(fsnotify.Create) {
				continue
			}
			found, err := os.Stat(p.kubeletSocket())
			if err == nil && !sameSocket(known, found) {
				return nil
			}
		}
	}
}

// sameSocket compares times too: a file system may give a removed file's number out again.
func sameSocket(a, b os.FileInfo) bool {
	return os.SameFile(a, b) && a.ModTime().Equal(b.ModTime())
}

// serve opens a socket and registers it; the function that it returns closes it. It is a new one
// each time: the kubelet knows a registration by its socket, and refuses one that it has already.
func (p *devicePlugin) serve(ctx context.Context) (func(), error) {
	endpoint := fmt.Sprintf(pluginSockets, time.Now().UnixNano())
	listener, err := net.Listen("unix", filepath.Join(p.folder, endpoint))
	if err != nil {
		return func() {}, err
	}
	server := grpc.NewServer()
	api.RegisterDevicePluginServer(server, p)
	go server.Serve(listener)
	return server.Stop, p.register(ctx, endpoint)
}

func (p *devicePlugin) register(ctx context.Context, endpoint string) error {
	connection, err := grpc.NewClient(
		"unix://"+p.kubeletSocket(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request := &api.RegisterRequest{
		Version: api.Version, Endpoint: endpoint, ResourceName: gpuResource,
		Options: &api.DevicePluginOptions{GetPreferredAllocationAvailable: true},
	}
	_, err = api.NewRegistrationClient(connection).Register(ctx, request)
	if err == nil {
		klog.InfoS("device plugin: registered", "resource", gpuResource, "devices", len(p.devices))
	}
	return err
}

func (p *devicePlugin) GetDevicePluginOptions(context.Context, *api.Empty) (*api.DevicePluginOptions, error) {
	return &api.DevicePluginOptions{GetPreferredAllocationAvailable: true}, nil
}

// ListAndWatch tells the kubelet of the cards once: a simulated card never fails.
func (p *devicePlugin) ListAndWatch(_ *api.Empty, stream api.DevicePlugin_ListAndWatchServer) error {
	if err := stream.Send(&api.ListAndWatchResponse{Devices: p.devices}); err != nil {
		return err
	}
	<-stream.Context().Done()
	return nil
}

// GetPreferredAllocation prefers low numbers, so that a learner sees what the page shows.
func (p *devicePlugin) GetPreferredAllocation(
	_ context.Context, request *api.PreferredAllocationRequest,
) (*api.PreferredAllocationResponse, error) {
	response := &api.PreferredAllocationResponse{}
	for _, container := range request.ContainerRequests {
		chosen := slices.Clone(container.MustIncludeDeviceIDs)
		for _, id := range slices.Sorted(slices.Values(container.AvailableDeviceIDs)) {
			if len(chosen) < int(container.AllocationSize) && !slices.Contains(chosen, id) {
				chosen = append(chosen, id)
			}
		}
		response.ContainerResponses = append(
			response.ContainerResponses, &api.ContainerPreferredAllocationResponse{DeviceIDs: chosen})
	}
	return response, nil
}

// Allocate says what a container needs to use the cards that the kubelet chose for it.
func (p *devicePlugin) Allocate(_ context.Context, request *api.AllocateRequest) (*api.AllocateResponse, error) {
	response := &api.AllocateResponse{}
	for _, container := range request.ContainerRequests {
		ids := slices.Sorted(slices.Values(container.DevicesIds))
		response.ContainerResponses = append(response.ContainerResponses, &api.ContainerAllocateResponse{
			Envs: map[string]string{
				"NVIDIA_VISIBLE_DEVICES": strings.Join(ids, ","),
				"WORKSHOP_GPU":           "simulated",
			},
			Mounts: p.mounts,
		})
	}
	return response, nil
}

func sleep(ctx context.Context, pause time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(pause):
	}
}
