{{- /* What values mean that are more than a word. The same stands in src/install/objects/configuration.ts; a test compares. */ -}}

{{- define "peerpods.config" -}}
{{- $data := dict "CLOUD_PROVIDER" .Values.provider "PEERPODS_LIMIT_PER_NODE" .Values.limit -}}
{{- with .Values.clusterId }}{{ $_ := set $data "PEERPODS_CLUSTER_ID" . }}{{ end -}}
{{- with .Values.tlsProfile.minVersion }}{{ $_ := set $data "TLS_MIN_VERSION" . }}{{ end -}}
{{- with .Values.tlsProfile.cipherSuites }}{{ $_ := set $data "TLS_CIPHER_SUITES" . }}{{ end -}}
{{- range $key, $value := get .Values.providerConfigs .Values.provider | default dict }}
{{- $_ := set $data $key $value -}}
{{- end -}}
{{- toJson $data -}}
{{- end -}}

{{- define "peerpods.secretTexts" -}}
{{- toJson (omit (get .Values.providerSecrets .Values.provider | default dict) "id_rsa" "id_rsa_pub") -}}
{{- end -}}

{{- define "peerpods.secrets" -}}
{{- $data := dict -}}
{{- range $key, $value := include "peerpods.secretTexts" . | fromJson }}{{ $_ := set $data $key (b64enc $value) }}{{ end -}}
{{- toJson $data -}}
{{- end -}}

{{- define "peerpods.sshKeys" -}}
{{- $data := dict -}}
{{- $given := get .Values.providerSecrets .Values.provider | default dict -}}
{{- range $key, $file := dict "id_rsa" "id_rsa" "id_rsa_pub" "id_rsa.pub" }}
{{- if hasKey $given $key }}{{ $_ := set $data $file (get $given $key | b64enc) }}{{ end -}}
{{- end -}}
{{- toJson $data -}}
{{- end -}}

{{- define "peerpods.tlsCerts" -}}
{{- $data := dict -}}
{{- range $key, $file := dict "caCert" "ca.crt" "clientCert" "client.crt" "clientKey" "client.key" }}
{{- with get $.Values.secrets.tlsCerts $key }}{{ $_ := set $data $file (b64enc .) }}{{ end -}}
{{- end -}}
{{- toJson $data -}}
{{- end -}}
