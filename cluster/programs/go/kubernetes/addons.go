package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	core "k8s.io/api/core/v1"
	storage "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
)

// The name that the StorageClass gives as its provisioner.
const provisioner = "tfjob-workshop/folder"

// addons does for this one node what a cloud's own programs do for theirs: it
// binds claims to storage, and hands out GPUs (here: simulated ones).
// It looks at everything after each change, so lost events are harmless.
type addons struct {
	client   kubernetes.Interface
	informed informers.SharedInformerFactory
	node     string
	volumes  string
	gpus     gpus
}

func newAddonsCommand() *cobra.Command {
	a := &addons{}
	var kubeconfig string
	command := &cobra.Command{
		Use:   "node-addons",
		Short: "Binds claims to folders of the node and hands out its simulated GPUs",
		RunE: func(command *cobra.Command, _ []string) error {
			config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
			if err != nil {
				return err
			}
			config.QPS, config.Burst = 50, 100
			a.client = kubernetes.NewForConfigOrDie(config)
			return a.run(command.Context())
		},
	}
	flags := command.Flags()
	flags.StringVar(&kubeconfig, "kubeconfig", "", "how to reach the API server")
	flags.StringVar(&a.node, "node", "", "name of this node")
	flags.StringVar(&a.volumes, "volumes", "", "folder in which each claim gets its own")
	a.gpus.addFlags(flags)
	return command
}

func (a *addons) run(ctx context.Context) error {
	a.gpus.serve(ctx, a.client, a.node)
	awaitNode(ctx, a.client, a.node)
	changed := make(chan struct{}, 1)
	wake := func(any) {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	a.informed = informers.NewSharedInformerFactory(a.client, time.Minute)
	handler := cache.ResourceEventHandlerFuncs{
		AddFunc: wake, DeleteFunc: wake, UpdateFunc: func(_, after any) { wake(after) },
	}
	for _, informer := range []cache.SharedIndexInformer{
		a.informed.Core().V1().Nodes().Informer(),
		a.informed.Core().V1().PersistentVolumes().Informer(),
		a.informed.Core().V1().PersistentVolumeClaims().Informer(),
		a.informed.Storage().V1().StorageClasses().Informer(),
	} {
		if _, err := informer.AddEventHandler(handler); err != nil {
			return err
		}
	}
	a.informed.Start(ctx.Done())
	a.informed.WaitForCacheSync(ctx.Done())
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		}
		if err := a.reconcile(ctx); err != nil {
			klog.ErrorS(err, "trying again in a second")
			time.AfterFunc(time.Second, func() { wake(nil) })
		}
	}
}

func awaitNode(ctx context.Context, client kubernetes.Interface, node string) {
	await(ctx, func() error {
		_, err := client.CoreV1().Nodes().Get(ctx, node, meta.GetOptions{})
		return err
	})
}

// await returns when the API server answers a question: then it is up, and gave us our
// rights. A client that was refused would wait for seconds before it asks again, or end.
func await(ctx context.Context, ask func() error) {
	for ctx.Err() == nil && ask() != nil {
		sleep(ctx, 100*time.Millisecond)
	}
}

func (a *addons) reconcile(ctx context.Context) error {
	var last error
	remember := func(err error) {
		if err != nil && !errors.IsAlreadyExists(err) && !errors.IsNotFound(err) {
			last = err
		}
	}
	remember(a.advertiseGPUs(ctx))
	claims, err := a.informed.Core().V1().PersistentVolumeClaims().Lister().List(labels.Everything())
	remember(err)
	for _, claim := range claims {
		remember(a.provision(ctx, claim))
	}
	volumes, err := a.informed.Core().V1().PersistentVolumes().Lister().List(labels.Everything())
	remember(err)
	for _, volume := range volumes {
		remember(a.remove(ctx, volume))
	}
	return last
}

func (a *addons) advertiseGPUs(ctx context.Context) error {
	node, err := a.informed.Core().V1().Nodes().Lister().Get(a.node)
	if err != nil {
		return err
	}
	return a.gpus.advertise(ctx, a.client, node)
}

// provision makes the folder and the volume of a claim that has none yet.
func (a *addons) provision(ctx context.Context, claim *core.PersistentVolumeClaim) error {
	if claim.Spec.VolumeName != "" || claim.DeletionTimestamp != nil || claim.Spec.StorageClassName == nil {
		return nil
	}
	class, err := a.informed.Storage().V1().StorageClasses().Lister().Get(*claim.Spec.StorageClassName)
	if err != nil || class.Provisioner != provisioner {
		return nil
	}
	folder := filepath.Join(a.volumes, string(claim.UID))
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	// Containers of any user write here, and the umask took the bits away.
	if err := os.Chmod(folder, 0o777); err != nil {
		return err
	}
	_, err = a.client.CoreV1().PersistentVolumes().Create(
		ctx, a.volumeFor(claim, class, folder), meta.CreateOptions{})
	return err
}

func (a *addons) volumeFor(
	claim *core.PersistentVolumeClaim, class *storage.StorageClass, folder string,
) *core.PersistentVolume {
	size := claim.Spec.Resources.Requests[core.ResourceStorage]
	if size.IsZero() {
		size = resource.MustParse("1Gi")
	}
	return &core.PersistentVolume{
		ObjectMeta: meta.ObjectMeta{
			Name: "pvc-" + string(claim.UID),
			// Tells the volume controller that deleting is our business.
			Annotations: map[string]string{"pv.kubernetes.io/provisioned-by": provisioner},
		},
		Spec: core.PersistentVolumeSpec{
			StorageClassName:              class.Name,
			AccessModes:                   claim.Spec.AccessModes,
			Capacity:                      core.ResourceList{core.ResourceStorage: size},
			PersistentVolumeReclaimPolicy: *class.ReclaimPolicy,
			PersistentVolumeSource: core.PersistentVolumeSource{
				Local: &core.LocalVolumeSource{Path: folder},
			},
			ClaimRef: &core.ObjectReference{
				Kind: "PersistentVolumeClaim", APIVersion: "v1",
				Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID,
			},
			NodeAffinity: &core.VolumeNodeAffinity{Required: &core.NodeSelector{
				NodeSelectorTerms: []core.NodeSelectorTerm{{
					MatchExpressions: []core.NodeSelectorRequirement{{
						Key: "kubernetes.io/hostname", Operator: core.NodeSelectorOpIn,
						Values: []string{a.node},
					}},
				}},
			}},
		},
	}
}

// remove deletes a volume whose claim is gone, folder first.
func (a *addons) remove(ctx context.Context, volume *core.PersistentVolume) error {
	if volume.Annotations["pv.kubernetes.io/provisioned-by"] != provisioner ||
		volume.Status.Phase != core.VolumeReleased || volume.Spec.Local == nil ||
		volume.Spec.PersistentVolumeReclaimPolicy != core.PersistentVolumeReclaimDelete {
		return nil
	}
	if filepath.Dir(volume.Spec.Local.Path) != filepath.Clean(a.volumes) {
		return fmt.Errorf("volume %s is outside of %s", volume.Name, a.volumes)
	}
	if err := os.RemoveAll(volume.Spec.Local.Path); err != nil {
		return err
	}
	return a.client.CoreV1().PersistentVolumes().Delete(ctx, volume.Name, meta.DeleteOptions{})
}
