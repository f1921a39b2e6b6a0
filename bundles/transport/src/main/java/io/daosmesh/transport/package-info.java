@NullMarked
package io.daosmesh.transport;

import org.jspecify.annotations.NullMarked;
