/* SPDX-License-Identifier: MIT
 *
 * autoscale - see the header. A JSON string is a YAML string, with the same quoting. */
#include "capacity/autoscale.h"

static void add_text(struct buf *out, const char *before, const char *text)
{
	buf_add_text(out, before);
	buf_add_json(out, str_of(text));
	buf_add_char(out, '\n');
}

static void add_head(const struct autoscale *a, const char *version, const char *kind,
		     struct buf *out)
{
	buf_printf(out, "apiVersion: %s\nkind: %s\nmetadata:\n", version, kind);
	add_text(out, "  name: ", a->deployment);
	add_text(out, "  namespace: ", a->name_space);
	buf_add_text(out, "spec:\n"
			  "  scaleTargetRef:\n"
			  "    apiVersion: apps/v1\n"
			  "    kind: Deployment\n");
	add_text(out, "    name: ", a->deployment);
}

void autoscale_add_hpa(const struct autoscale *a, struct buf *out)
{
	add_head(a, "autoscaling/v2", "HorizontalPodAutoscaler", out);
	buf_printf(out, "  minReplicas: %llu\n  maxReplicas: %llu\n  metrics:\n",
		   (unsigned long long)a->replicas_min, (unsigned long long)a->replicas_max);
	buf_add_text(out, "  - type: Pods\n"
			  "    pods:\n"
			  "      metric:\n");
	add_text(out, "        name: ", a->pod_metric);
	/* Kubernetes' quantities have thousandths. */
	buf_printf(out,
		   "      target:\n"
		   "        type: AverageValue\n"
		   "        averageValue: %.0fm\n",
		   a->rps_per_replica * (1 - a->head_room) * 1000);
}

void autoscale_add_keda(const struct autoscale *a, struct buf *out)
{
	add_head(a, "keda.sh/v1alpha1", "ScaledObject", out);
	buf_printf(out,
		   "  minReplicaCount: %llu\n"
		   "  maxReplicaCount: %llu\n"
		   "  triggers:\n"
		   "  - type: prometheus\n"
		   "    metadata:\n",
		   (unsigned long long)a->replicas_min, (unsigned long long)a->replicas_max);
	add_text(out, "      serverAddress: ", a->prometheus_url);
	add_text(out, "      query: ", a->rate_query);
	buf_printf(out, "      threshold: \"%.3f\"\n", a->rps_per_replica * (1 - a->head_room));
}
