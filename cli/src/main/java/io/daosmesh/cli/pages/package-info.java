/** Man pages and completion of the tools, made from their command trees when packages are built. */
@org.jspecify.annotations.NullMarked
package io.daosmesh.cli.pages;
