{{/* One installation per cluster: names are fixed, as in 2017. */}}
{{- define "tf-job-operator.labels" -}}
name: tf-job-operator
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
{{ .Values.serviceAccount.name | default (ternary "tf-job-operator" "default" .Values.serviceAccount.create) }}
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

{{/* What a GPU brings on each cloud; nvidia.com/gpu is served by a device plugin, which mounts. */}}
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
