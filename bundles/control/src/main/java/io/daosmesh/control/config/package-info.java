/** What a node is configured to be. */
@NullMarked
package io.daosmesh.control.config;

import org.jspecify.annotations.NullMarked;
