@NullMarked
package io.daosmesh.rebuild.pull;

import org.jspecify.annotations.NullMarked;
