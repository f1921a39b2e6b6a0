@NullMarked
package io.daosmesh.transport.metric;

import org.jspecify.annotations.NullMarked;
