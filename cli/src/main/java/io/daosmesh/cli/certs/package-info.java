/** Makes, renews, revokes and lists the certificates of a system. */
@org.jspecify.annotations.NullMarked
package io.daosmesh.cli.certs;
