@NullMarked
package io.daosmesh.transport.wire;

import org.jspecify.annotations.NullMarked;
