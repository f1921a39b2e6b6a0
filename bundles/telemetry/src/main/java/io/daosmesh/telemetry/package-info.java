@NullMarked
package io.daosmesh.telemetry;

import org.jspecify.annotations.NullMarked;
