/** HTTP/1.1 for one page that strangers can reach: every connection, byte and second has a limit. */
@NullMarked
package io.daosmesh.telemetry.http;

import org.jspecify.annotations.NullMarked;
