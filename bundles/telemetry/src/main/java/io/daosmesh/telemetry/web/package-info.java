/** TLS and users of the metrics page, from the web configuration file that Prometheus's exporters share. */
@NullMarked
package io.daosmesh.telemetry.web;

import org.jspecify.annotations.NullMarked;
