/** What may be set of the system, of pools and of containers, and what it means. Pure. */
@NullMarked
package io.daosmesh.management.properties;

import org.jspecify.annotations.NullMarked;
