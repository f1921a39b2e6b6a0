/** RAS events: log, syslog and the bounded ring that is streamed to tools. */
@NullMarked
package io.daosmesh.control.ras;

import org.jspecify.annotations.NullMarked;
