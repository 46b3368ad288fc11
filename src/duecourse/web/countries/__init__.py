"""What is known of collecting a debt in each country, and what is not.  国别信息"""
