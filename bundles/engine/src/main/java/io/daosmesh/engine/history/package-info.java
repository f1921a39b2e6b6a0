/** What has changed since when, and what a target that was away still holds. */
@NullMarked
package io.daosmesh.engine.history;

import org.jspecify.annotations.NullMarked;
