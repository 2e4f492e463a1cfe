// CoreDNS with the plugins that the cluster's Corefile names, and no others: those of the
// clouds would bring their libraries, and take most of the compiling.
package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/health"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/metrics"
	_ "github.com/coredns/coredns/plugin/ready"
	_ "github.com/coredns/coredns/plugin/template"
)

// A query passes the plugins in this order, which is that of CoreDNS' own plugin.cfg.
func init() {
	dnsserver.Directives = []string{
		"health", "ready", "prometheus", "errors", "template", "kubernetes",
	}
}

func main() {
	coremain.Run()
}
