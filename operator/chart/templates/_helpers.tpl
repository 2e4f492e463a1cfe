{{/* The name of 2017, or another one for a second installation in one namespace. */}}
{{- define "tf-job-operator.name" -}}
{{ .Values.nameOverride | default "tf-job-operator" }}
{{- end }}

{{- define "tf-job-operator.labels" -}}
name: {{ include "tf-job-operator.name" . }}
app.kubernetes.io/name: tf-job-operator
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "tf-job-operator.image" -}}
{{ .Values.image.repository }}{{ if .Values.image.digest }}@{{ .Values.image.digest }}{{ else }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{- define "tf-job-operator.serviceAccountName" -}}
{{ .Values.serviceAccount.name | default (ternary (include "tf-job-operator.name" .) "default" .Values.serviceAccount.create) }}
{{- end }}

{{/* The user's flags. It fails for --port, --namespace, --lease-… and --leader-elect, also abbreviated:
     other templates depend on them. */}}
{{- define "tf-job-operator.extraArgs" -}}
{{- range .Values.extraArgs }}
{{- if regexMatch "^--(p|n|lea)" . }}
{{- fail (printf "extraArgs: %s is for the chart to set. The value namespace sets --namespace, nameOverride sets --lease-name, and the port is always 8080" .) }}
{{- end }}
{{- end }}
{{- toYaml .Values.extraArgs }}
{{- end }}

{{/* Where Pods of the operator's image may run, and what fetches it: of hooks and tests too. */}}
{{- define "tf-job-operator.placement" -}}
imagePullSecrets: {{- toYaml .Values.imagePullSecrets | nindent 2 }}
nodeSelector: {{- toYaml .Values.nodeSelector | nindent 2 }}
tolerations: {{- toYaml .Values.tolerations | nindent 2 }}
{{- end }}

{{/* Where `helm test` makes its TfJob: the operator may watch one namespace only. */}}
{{- define "tf-job-operator.testNamespace" -}}
{{ .Values.namespace | default .Release.Namespace }}
{{- end }}

{{- define "tf-job-operator.securityContext" -}}
allowPrivilegeEscalation: false
capabilities: {drop: [ALL]}
readOnlyRootFilesystem: true
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{/* For Pods that end by themselves: a quota may ask for resources. */}}
{{- define "tf-job-operator.smallResources" -}}
requests: {cpu: 50m, memory: 64Mi}
limits: {cpu: 500m, memory: 256Mi}
{{- end }}

{{/* What a GPU brings on each cloud; the device plugin of nvidia.com/gpu mounts the driver itself. */}}
{{- define "tf-job-operator.accelerators" -}}
{{- if eq .Values.cloud "azure" }}
alpha.kubernetes.io/nvidia-gpu:
  envVars:
    - {name: LD_LIBRARY_PATH, value: /usr/lib/nvidia:/usr/lib/x86_64-linux-gnu}
  volumes:
    - {name: lib, hostPath: /usr/lib/nvidia-384, mountPath: /usr/lib/nvidia}
    - {name: bin, hostPath: /usr/lib/nvidia-384/bin, mountPath: /usr/local/nvidia/bin}
    - {name: libcuda, hostPath: /usr/lib/x86_64-linux-gnu/libcuda.so.1, mountPath: /usr/lib/x86_64-linux-gnu/libcuda.so.1}
{{- else if eq .Values.cloud "gke" }}
alpha.kubernetes.io/nvidia-gpu:
  envVars:
    - {name: LD_LIBRARY_PATH, value: /usr/local/nvidia/lib64}
  volumes:
    - {name: lib, hostPath: /home/kubernetes/bin/nvidia/lib, mountPath: /usr/local/nvidia/lib64}
    - {name: bin, hostPath: /home/kubernetes/bin/nvidia/bin, mountPath: /usr/local/bin/nvidia}
{{- end }}
nvidia.com/gpu: {}
{{- end }}
