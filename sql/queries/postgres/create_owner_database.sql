CREATE DATABASE eventjobs OWNER eventjobs
