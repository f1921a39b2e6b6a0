@NullMarked
package io.daosmesh.transport.node;

import org.jspecify.annotations.NullMarked;
