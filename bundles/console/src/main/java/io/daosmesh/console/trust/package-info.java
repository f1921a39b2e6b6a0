/** What code a running node takes in: bundles it knows, from nowhere on the network. */
@NullMarked
package io.daosmesh.console.trust;

import org.jspecify.annotations.NullMarked;
