/*
 * assets.h - page.css and page.js as texts, made by the Makefile.
 */
#ifndef SERVE_ASSETS_H
#define SERVE_ASSETS_H

extern const char ASSET_PAGE_CSS[], ASSET_PAGE_JS[];

#endif
