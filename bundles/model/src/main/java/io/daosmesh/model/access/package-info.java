/** Who may do what: users, and what pools and containers say about them. */
@NullMarked
package io.daosmesh.model.access;

import org.jspecify.annotations.NullMarked;
