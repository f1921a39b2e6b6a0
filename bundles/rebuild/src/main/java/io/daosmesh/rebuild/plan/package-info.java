@NullMarked
package io.daosmesh.rebuild.plan;

import org.jspecify.annotations.NullMarked;
