{{/* SPDX-License-Identifier: MIT */}}
{{/* Of a dict with the release, name and component. */}}
{{- define "cicada.labels" -}}
app: {{ .name }}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/component: {{ .component }}
app.kubernetes.io/part-of: cicada
app.kubernetes.io/instance: {{ .release.Name }}
app.kubernetes.io/managed-by: {{ .release.Service }}
{{- end }}

{{/* [1, 2] as "1,2". Large numbers come as floats from a values file. */}}
{{- define "cicada.list" -}}
{{- range $i, $number := . }}{{ if $i }},{{ end }}{{ int64 $number }}{{ end }}
{{- end }}

{{/* What the pods of all workloads begin with. Kubernetes would put LOCUST_MASTER_PORT and the like into
the environment, had they links to Services. */}}
{{- define "cicada.pod" -}}
enableServiceLinks: false
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- with .Values.images.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{/* The volumes of master and workers: the scenario, and where it is compiled to. */}}
{{- define "cicada.scriptVolumes" -}}
- name: scripts
  configMap:
    name: locust-scripts
- name: tmp
  emptyDir:
    sizeLimit: 64Mi
{{- end }}

{{- define "cicada.scriptMounts" -}}
- name: scripts
  mountPath: /home/locust
  readOnly: true
- name: tmp
  mountPath: /tmp
{{- end }}

{{/* Its pods. */}}
{{- define "cicada.targetSelector" -}}
podSelector:
  matchLabels:
    {{- if .Values.target.enabled }}
    app: inference
    {{- else }}
    {{- toYaml .Values.target.podLabels | nindent 4 }}
    {{- end }}
{{- end }}
