mod advisories;
