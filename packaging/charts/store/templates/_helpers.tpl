{{- define "store.selector" -}}
app.kubernetes.io/name: store
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "store.labels" -}}
{{ include "store.selector" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{/* of a component: (list . "web") */}}
{{- define "store.component" -}}
{{ include "store.selector" (first .) }}
app.kubernetes.io/component: {{ last . }}
{{- end }}

{{/* (list . "mariadb") */}}
{{- define "store.image" -}}
{{- $image := index (first .).Values.images (last .) -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ $image.tag }}
{{- end -}}
{{- end }}

{{- define "store.credentials" -}}
{{ .Values.credentials.existing | default "credentials" }}
{{- end }}

{{- define "store.isMedusa" -}}
{{- if eq .Values.engine "medusa" }}true{{ end -}}
{{- end }}

{{- define "store.database" -}}
{{ ternary "postgres" "mariadb" (eq .Values.engine "medusa") }}
{{- end }}

{{- define "store.databasePort" -}}
{{ ternary 5432 3306 (eq .Values.engine "medusa") }}
{{- end }}

{{- define "store.port" -}}
{{ ternary 9000 8080 (eq .Values.engine "medusa") }}
{{- end }}

{{/* Whose the shop's files are. */}}
{{- define "store.uid" -}}
{{ ternary (.Values.medusa.uid | int) 33 (eq .Values.engine "medusa") }}
{{- end }}

{{- define "store.filesPath" -}}
{{ ternary .Values.medusa.files "/var/www/html" (eq .Values.engine "medusa") }}
{{- end }}

{{- define "store.url" -}}
{{ ternary "https" "http" .Values.tls.enabled }}://{{ .Values.host }}
{{- end }}

{{/* (list . uid) */}}
{{- define "store.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ last . | int }}
runAsGroup: {{ last . | int }}
fsGroup: {{ last . | int }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "store.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* What all pods have. */}}
{{- define "store.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . | quote }}
{{- end }}
{{- end }}
{{- end }}

{{/* Claims of one node only are mounted where the shop is. */}}
{{- define "store.besideShop" -}}
{{- if and (eq .Values.storage.accessMode "ReadWriteOnce") (eq .Values.mode "running") -}}
affinity:
  podAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      - topologyKey: kubernetes.io/hostname
        labelSelector:
          matchLabels:
            {{- include "store.component" (list . "web") | nindent 12 }}
{{- end }}
{{- end }}

{{- define "store.secretEnv" -}}
- name: {{ index . 1 }}
  valueFrom:
    secretKeyRef:
      name: {{ include "store.credentials" (index . 0) }}
      key: {{ index . 2 }}
{{- end }}

{{- define "store.env" -}}
{{- if include "store.isMedusa" . -}}
{{ include "store.secretEnv" (list . "DB_PASSWORD" "db-password") }}
{{ include "store.secretEnv" (list . "JWT_SECRET" "jwt-secret") }}
{{ include "store.secretEnv" (list . "COOKIE_SECRET" "cookie-secret") }}
- name: DATABASE_URL
  value: postgres://store:$(DB_PASSWORD)@db:5432/store
- name: REDIS_URL
  value: redis://cache:6379
- name: NODE_ENV
  value: production
- name: PORT
  value: "9000"
- name: HOME
  value: /tmp
- name: MEDUSA_BACKEND_URL
  value: {{ include "store.url" . | quote }}
{{- $origins := prepend .Values.medusa.cors (include "store.url" .) | join "," }}
- name: STORE_CORS
  value: {{ $origins | quote }}
- name: ADMIN_CORS
  value: {{ include "store.url" . | quote }}
- name: AUTH_CORS
  value: {{ $origins | quote }}
{{- else -}}
{{ include "store.secretEnv" (list . "WORDPRESS_DB_PASSWORD" "db-password") }}
- name: WORDPRESS_DB_HOST
  value: db
- name: WORDPRESS_DB_USER
  value: store
- name: WORDPRESS_DB_NAME
  value: store
{{- end }}
{{- end }}

{{/* Another one for another version of what is set up. */}}
{{- define "store.setupName" -}}
{{- $inputs := list .Chart.Version .Values.engine .Values.host .Values.images .Values.woocommerce .Values.medusa .Values.admin .Values.title .Values.setup .Values.resources.job (include "store.credentials" .) .Values.tls.enabled .Values.imagePullSecrets .Values.imagePullPolicy .Values.storage.accessMode -}}
setup-{{ $inputs | toJson | sha256sum | trunc 10 }}
{{- end }}
