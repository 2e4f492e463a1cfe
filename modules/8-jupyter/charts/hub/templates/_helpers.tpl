{{/* Labels by which Services find the hub's Pod. They must never change. */}}
{{- define "hub.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: hub
{{- end }}

{{/* Labels of every object of a release. */}}
{{- define "hub.labels" -}}
{{ include "hub.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{/* What a container may do: nothing that it does not need. */}}
{{- define "hub.containerSecurity" -}}
allowPrivilegeEscalation: false
capabilities: {drop: [ALL]}
readOnlyRootFilesystem: true
{{- end }}

{{/* A key of the Secret: the one that is there, so that an upgrade does not change it. */}}
{{- define "hub.key" -}}
{{- $old := lookup "v1" "Secret" .context.Release.Namespace (printf "%s-keys" .context.Release.Name) -}}
{{- dig "data" .name "" $old | default (.made | b64enc) -}}
{{- end }}
