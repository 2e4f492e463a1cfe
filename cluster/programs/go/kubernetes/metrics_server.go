package main

import (
	"github.com/spf13/cobra"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/server"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/metrics-server/cmd/metrics-server/app"
)

// newMetricsServerCommand is metrics-server as it is, but on a new cluster it waits for the
// last of its rights, without which it would end.
func newMetricsServerCommand() *cobra.Command {
	command := app.NewMetricsServerCommand(server.SetupSignalHandler())
	serve := command.RunE
	command.RunE = func(command *cobra.Command, arguments []string) error {
		config, err := clientcmd.BuildConfigFromFlags("", command.Flag("kubeconfig").Value.String())
		if err != nil {
			return err
		}
		client := kubernetes.NewForConfigOrDie(config)
		await(command.Context(), func() error {
			_, err := client.CoreV1().ConfigMaps("kube-system").Get(
				command.Context(), "extension-apiserver-authentication", meta.GetOptions{})
			return err
		})
		return serve(command, arguments)
	}
	return command
}
