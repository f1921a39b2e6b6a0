/** The user's tool. */
@org.jspecify.annotations.NullMarked
package io.daosmesh.cli.daos;
